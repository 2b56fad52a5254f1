"""User-visible text: message catalogues, translatable error sentences, and validation errors as sentences."""
