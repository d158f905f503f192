"""The LDAP library ldap3. Imported only when a source is opened, as it may not be installed."""

import warnings

with warnings.catch_warnings():
    # ldap3 2.9 uses names of pyasn1 that have been renamed.
    warnings.filterwarnings("ignore", r"(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError
    from pyasn1.error import PyAsn1Error

BROKEN = (LDAPException, OSError, PyAsn1Error, ValueError, IndexError, KeyError, TypeError)
"""What ldap3 raises: its own errors, those of the system, and those for bytes that are not LDAP."""

__all__ = ["BROKEN", "LDAPException", "LDAPInvalidFilterError", "ldap3"]
