"""What the code as a whole must keep to: each rule is a function, run on the tree and on a bad sample."""
