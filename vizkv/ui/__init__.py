"""The thin Streamlit layer: the player component, session and link state, shared widgets."""
