"""The lecture on Streamlit pages."""
