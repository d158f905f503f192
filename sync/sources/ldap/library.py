"""The library for LDAP, ldap3. Imported only when a directory is opened, as it may not be installed."""

import warnings

with warnings.catch_warnings():
    # ldap3 2.9 takes names from pyasn1 that are called otherwise now.
    warnings.filterwarnings("ignore", r"(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError
    from pyasn1.error import PyAsn1Error

BROKEN = (LDAPException, OSError, PyAsn1Error, ValueError, IndexError, KeyError, TypeError)
"""What ldap3 raises when a server does not do as expected: its own errors, the system's, and those that bytes which are
no LDAP lead it into."""

__all__ = ["BROKEN", "LDAPException", "LDAPInvalidFilterError", "ldap3"]
