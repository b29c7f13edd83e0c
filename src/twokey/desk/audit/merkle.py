"""The tree of RFC 6962 over leaf hashes: root, inclusion proof, consistency proof, and their checks. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(row: bytes) -> bytes:
    """Hash one row as a leaf (prefix 0x00)."""
    return hashlib.sha256(b"\x00" + row).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children as a node (prefix 0x01)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes; that of nothing is the hash of nothing.

    >>> root([leaf_hash(b"")]).hex()[:16]
    '6e340b9cffb37a98'
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    peaks: list[tuple[int, bytes]] = []  # (height, hash), highest first: joined as soon as two are of one height
    for leaf in leaves:
        height, value = 0, leaf
        while peaks and peaks[-1][0] == height:
            value = node_hash(peaks.pop()[1], value)
            height += 1
        peaks.append((height, value))
    value = peaks.pop()[1]
    while peaks:
        value = node_hash(peaks.pop()[1], value)
    return value


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root."""
    if len(leaves) <= 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root(leaves[:split])]


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], head: bytes) -> bool:
    """Check an inclusion proof."""
    if not 0 <= index < size:
        return False
    node, last, value, rest = index, size - 1, leaf, list(proof)
    while last:
        if not rest:
            return False
        if node % 2 or node == last:
            while not node % 2:
                node, last = node >> 1, last >> 1
            value = node_hash(rest.pop(0), value)
        else:
            value = node_hash(value, rest.pop(0))
        node, last = node >> 1, last >> 1
    return not rest and value == head


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Return the hashes that show that the tree of the first `size` leaves is the beginning of this one."""
    return _subproof(leaves, size, whole=True) if 0 < size < len(leaves) else []


def consistent(old_size: int, new_size: int, old: bytes, new: bytes, proof: Sequence[bytes]) -> bool:
    """Check a consistency proof between two heads."""
    if old_size == new_size:
        return old == new and not proof
    if not 0 < old_size < new_size:
        return old_size == 0
    rest = list(proof)
    node, last = old_size - 1, new_size - 1
    while node % 2:
        node, last = node >> 1, last >> 1
    if node and not rest:
        return False
    first = second = rest.pop(0) if node else old
    while last:
        if node % 2 or node == last:
            if not rest:
                return False
            while not node % 2 and node:
                node, last = node >> 1, last >> 1
            step = rest.pop(0)
            first, second = node_hash(step, first), node_hash(step, second)
        else:
            if not rest:
                return False
            second = node_hash(second, rest.pop(0))
        node, last = node >> 1, last >> 1
        if node == 0 and first != old:
            return False
    return not rest and first == old and second == new


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _subproof(leaves: Sequence[bytes], size: int, *, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*_subproof(leaves[:split], size, whole=whole), root(leaves[split:])]
    return [*_subproof(leaves[split:], size - split, whole=False), root(leaves[:split])]
