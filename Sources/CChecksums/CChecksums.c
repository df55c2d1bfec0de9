// Slicing by eight tables (Kounavis and Berry, 2005), made when the library is loaded; CRC-32C by the SSE 4.2
// instruction where it is there (8 bytes in 3 cycles).
#include "CChecksums.h"

#include <string.h>

static uint32_t table32[8][256];
static uint32_t table32c[8][256];
static uint64_t table64[8][256];

__attribute__((constructor)) static void make_tables(void) {
    for (unsigned i = 0; i < 256; i++) {
        uint32_t a = i, c = i;
        uint64_t n = i;
        for (int bit = 0; bit < 8; bit++) {
            a = a & 1 ? a >> 1 ^ 0xedb88320u : a >> 1;
            c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
            n = n & 1 ? n >> 1 ^ 0x9a6c9329ac4bc9b5ull : n >> 1;
        }
        table32[0][i] = a;
        table32c[0][i] = c;
        table64[0][i] = n;
    }
    for (unsigned i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++) {
            table32[k][i] = table32[k - 1][i] >> 8 ^ table32[0][table32[k - 1][i] & 255];
            table32c[k][i] = table32c[k - 1][i] >> 8 ^ table32c[0][table32c[k - 1][i] & 255];
            table64[k][i] = table64[k - 1][i] >> 8 ^ table64[0][table64[k - 1][i] & 255];
        }
}

static uint32_t slice32(uint32_t table[8][256], uint32_t crc, const uint8_t *p, size_t count) {
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = table[7][word & 255] ^ table[6][word >> 8 & 255] ^ table[5][word >> 16 & 255] ^ table[4][word >> 24 & 255]
            ^ table[3][word >> 32 & 255] ^ table[2][word >> 40 & 255] ^ table[1][word >> 48 & 255] ^ table[0][word >> 56];
        p += 8;
        count -= 8;
    }
    while (count--) crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
    return crc;
}

uint32_t slipway_crc32(uint32_t value, const void *bytes, size_t count) {
    return ~slice32(table32, ~value, bytes, count);
}

uint64_t slipway_crc64nvme(uint64_t value, const void *bytes, size_t count) {
    const uint8_t *p = bytes;
    uint64_t crc = ~value;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = table64[7][word & 255] ^ table64[6][word >> 8 & 255] ^ table64[5][word >> 16 & 255]
            ^ table64[4][word >> 24 & 255] ^ table64[3][word >> 32 & 255] ^ table64[2][word >> 40 & 255]
            ^ table64[1][word >> 48 & 255] ^ table64[0][word >> 56];
        p += 8;
        count -= 8;
    }
    while (count--) crc = crc >> 8 ^ table64[0][(crc ^ *p++) & 255];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t count) {
    uint64_t wide = crc;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
        p += 8;
        count -= 8;
    }
    crc = (uint32_t)wide;
    while (count--) crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
#endif

uint32_t slipway_crc32c(uint32_t value, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_sse42(~value, bytes, count);
#endif
    return ~slice32(table32c, ~value, bytes, count);
}
