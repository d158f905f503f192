"""The source of entries from an LDAP server."""
