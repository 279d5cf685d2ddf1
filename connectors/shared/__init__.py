"""Parts that several platforms share: signatures, text limits, JSON splitting, HTTP client."""
