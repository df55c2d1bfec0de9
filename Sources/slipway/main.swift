import Glibc

print("slipway")
