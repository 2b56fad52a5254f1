"""Pure functions of a trace: sentences, the player's payload, pictures, charts and tables. They import no Streamlit."""
