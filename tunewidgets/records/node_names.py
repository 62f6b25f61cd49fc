"""The names of a record's groups on disk.

In: a layer's name, whatever its characters. Out: a name of one group, from which it comes back.
"""

import hashlib
import re
from urllib.parse import quote, unquote

# On disk, every node of a tree carries its true name in this attribute, which on the root also marks a tree as such.
NAME = "tunewidgets_name"
ORDER = "tunewidgets_order"  # among its siblings: Zarr lists groups in any order
LONGEST = 180  # characters of a group's name; file systems allow 255, and a few are added


def group_name(name: str) -> str:
    """A name of a single group for every file system and Zarr, from which `urllib.parse.unquote` restores `name`.

    Letters, digits, `-`, `_` and inner `.` stay, so that most layers' names are unchanged. A name too long for
    file systems is cut, and a digest added.

    Examples
    --------
    >>> group_name("layer2.0.conv1"), group_name("a/b:c")
    ('layer2.0.conv1', 'a%2Fb%3Ac')
    """
    quoted = quote(name, safe="").replace("~", "%7E")
    # Zarr reserves "__…"; "." and ".." mean folders; a leading dot hides, a trailing one is lost on Windows;
    # Windows also reserves the names of its devices, whatever their ending.
    first_is_special = quoted.startswith((".", "__")) or quoted == "zarr.json"
    if first_is_special or re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", quoted):
        quoted = f"%{ord(quoted[0]):02X}{quoted[1:]}"
    quoted = quoted[:-1] + "%2E" if quoted.endswith(".") else quoted
    if len(quoted) <= LONGEST:
        return quoted
    return f"{quoted[:LONGEST]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def node_name(name: str) -> str:
    """`name` itself where a DataTree can hold a node of that name, else its `group_name`; no two coincide."""
    needs_encoding = "/" in name or name in (".", "..") or unquote(name) != name
    return group_name(name) if needs_encoding else name
