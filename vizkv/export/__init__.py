"""Files for slides, papers and worksheets: pictures, films, documents and data of what the app shows."""
