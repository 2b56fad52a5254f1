"""What Streamlit does not document: styles, scripts and patches."""
