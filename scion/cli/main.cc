int main() { return 0; }  // local stub, not committed
