def part(whole: object, expected: object) -> object:
    """Return `whole` without the keys that `expected` does not have."""
    if isinstance(whole, dict) and isinstance(expected, dict):
        return {key: part(whole[key], expected[key]) for key in expected if key in whole}
    return whole
