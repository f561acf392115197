"""The domain: one module per aggregate, with its document, its rules, its queries and its indexes. Knows no HTTP."""
