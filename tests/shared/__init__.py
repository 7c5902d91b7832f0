"""The wire contract by itself: exactness, one byte form for one meaning, dates, and what hostile input ends in."""
