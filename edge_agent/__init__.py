"""The program on the store PC: takes events from tills, keeps them durably, hands them to headquarters."""
