"""Pure functions of a trace: sentences, player payload, figures, tables. No Streamlit here."""
