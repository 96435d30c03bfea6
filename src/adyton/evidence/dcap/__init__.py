"""What Intel's SGX and TDX share: quotes, PCK certificates, collateral and TCB levels (DCAP)."""
