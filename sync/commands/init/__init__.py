"""`init`: write a first configuration."""
