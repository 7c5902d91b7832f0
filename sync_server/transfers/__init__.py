"""Goods under way between stores: shipped by one, received by another, each store's part posted by itself."""
