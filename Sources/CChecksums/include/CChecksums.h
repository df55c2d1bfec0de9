// Cyclic redundancy checks, reflected, initial value and final xor all ones. Each takes the value of what came before
// (0 at the start) and returns the value with `bytes` added.
#pragma once
#include <stddef.h>
#include <stdint.h>

// CRC-32 of ISO-HDLC, as zip and x-amz-checksum-crc32 use it.
uint32_t slipway_crc32(uint32_t value, const void *bytes, size_t count);
// CRC-32C (Castagnoli), with the processor's instruction where it has one.
uint32_t slipway_crc32c(uint32_t value, const void *bytes, size_t count);
// CRC-64/NVME.
uint64_t slipway_crc64nvme(uint64_t value, const void *bytes, size_t count);
