"""How good a bundle is: metrics, conditions it is tested under, tables."""
