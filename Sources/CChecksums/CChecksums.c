// The three reflected CRCs that S3 knows, by one method. Long inputs are folded with carry-less multiplication: four
// 128-bit remainders each step over 64 bytes, then become one (Gopal and others, "Fast CRC computation for generic
// polynomials using PCLMULQDQ", Intel 2009). What is left, short inputs and other processors go through slicing by eight
// tables (Kounavis and Berry, 2005). Tables and folding constants are computed from the polynomials when the library is
// loaded, so the polynomials are the only magic numbers.
#include "CChecksums.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A 32-bit CRC is computed in the low half: its polynomial has no bit above 31, so no step ever sets one.
struct crc {
    uint64_t polynomial; // reflected
    int width;
    uint64_t table[8][256];
    uint64_t fold512[2]; // x^575 and x^511 modulo the polynomial, reflected into 64 bits
    uint64_t fold128[2]; // x^191 and x^127
};

static struct crc crc32 = {.polynomial = 0xedb88320, .width = 32};
static struct crc crc32c = {.polynomial = 0x82f63b78, .width = 32};
static struct crc crc64nvme = {.polynomial = 0x9a6c9329ac4bc9b5, .width = 64};
static int has_carryless_multiplication;

static uint64_t times_x(const struct crc *crc, uint64_t value) {
    return value & 1 ? value >> 1 ^ crc->polynomial : value >> 1;
}

// The product of two reflected 64-bit factors stands one bit too low in 128 bits, which is a factor x: hence the powers
// are one below the distance that is folded over.
static uint64_t power_of_x(const struct crc *crc, int exponent) {
    uint64_t value = 1ull << (crc->width - 1);
    while (exponent--) value = times_x(crc, value);
    return value << (64 - crc->width);
}

static void prepare(struct crc *crc) {
    for (unsigned i = 0; i < 256; i++) {
        uint64_t value = i;
        for (int bit = 0; bit < 8; bit++) value = times_x(crc, value);
        crc->table[0][i] = value;
    }
    for (unsigned i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            crc->table[k][i] = crc->table[k - 1][i] >> 8 ^ crc->table[0][crc->table[k - 1][i] & 255];
    crc->fold512[0] = power_of_x(crc, 575);
    crc->fold512[1] = power_of_x(crc, 511);
    crc->fold128[0] = power_of_x(crc, 191);
    crc->fold128[1] = power_of_x(crc, 127);
}

__attribute__((constructor)) static void prepare_all(void) {
    prepare(&crc32);
    prepare(&crc32c);
    prepare(&crc64nvme);
#if defined(__x86_64__)
    __builtin_cpu_init();
    has_carryless_multiplication = __builtin_cpu_supports("pclmul");
#endif
}

static uint64_t by_table(const struct crc *crc, uint64_t value, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        word ^= value;
        value = crc->table[7][word & 255] ^ crc->table[6][word >> 8 & 255] ^ crc->table[5][word >> 16 & 255]
            ^ crc->table[4][word >> 24 & 255] ^ crc->table[3][word >> 32 & 255] ^ crc->table[2][word >> 40 & 255]
            ^ crc->table[1][word >> 48 & 255] ^ crc->table[0][word >> 56];
    }
    while (count--) value = value >> 8 ^ crc->table[0][(value ^ *bytes++) & 255];
    return value;
}

#if defined(__x86_64__)
__attribute__((target("pclmul"))) static inline __m128i folded(__m128i remainder, __m128i factors, __m128i next) {
    const __m128i low = _mm_clmulepi64_si128(remainder, factors, 0x00);
    const __m128i high = _mm_clmulepi64_si128(remainder, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// `count` is at least 64.
__attribute__((target("pclmul"))) static uint64_t by_folding(
    const struct crc *crc, uint64_t value, const uint8_t *bytes, size_t count) {
    const __m128i *blocks = (const __m128i *)bytes;
    __m128i factors = _mm_loadu_si128((const __m128i *)crc->fold512);
    __m128i a = _mm_xor_si128(_mm_loadu_si128(blocks), _mm_set_epi64x(0, (long long)value));
    __m128i b = _mm_loadu_si128(blocks + 1), c = _mm_loadu_si128(blocks + 2), d = _mm_loadu_si128(blocks + 3);
    for (blocks += 4, count -= 64; count >= 64; blocks += 4, count -= 64) {
        a = folded(a, factors, _mm_loadu_si128(blocks));
        b = folded(b, factors, _mm_loadu_si128(blocks + 1));
        c = folded(c, factors, _mm_loadu_si128(blocks + 2));
        d = folded(d, factors, _mm_loadu_si128(blocks + 3));
    }
    factors = _mm_loadu_si128((const __m128i *)crc->fold128);
    a = folded(folded(folded(a, factors, b), factors, c), factors, d);
    for (; count >= 16; blocks++, count -= 16) a = folded(a, factors, _mm_loadu_si128(blocks));
    uint8_t remainder[16];
    _mm_storeu_si128((__m128i *)remainder, a);
    return by_table(crc, by_table(crc, 0, remainder, 16), (const uint8_t *)blocks, count);
}
#endif

static uint64_t update(const struct crc *crc, uint64_t value, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (count >= 64 && has_carryless_multiplication) return by_folding(crc, value, bytes, count);
#endif
    return by_table(crc, value, bytes, count);
}

uint32_t slipway_crc32(uint32_t value, const void *bytes, size_t count) {
    return ~(uint32_t)update(&crc32, (uint32_t)~value, bytes, count);
}

uint32_t slipway_crc32c(uint32_t value, const void *bytes, size_t count) {
    return ~(uint32_t)update(&crc32c, (uint32_t)~value, bytes, count);
}

uint64_t slipway_crc64nvme(uint64_t value, const void *bytes, size_t count) {
    return ~update(&crc64nvme, ~value, bytes, count);
}
