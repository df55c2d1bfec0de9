#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// OpenSSL's macros and variadic functions, which Swift cannot call.

static inline long slipway_ssl_ctx_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }

// No renegotiation, no compression, and a peer that closes without TLS's own goodbye is simply closed.
static inline void slipway_ssl_ctx_harden(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static inline int slipway_ssl_ctx_set_min_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

static inline int slipway_err_reason(unsigned long code) { return ERR_GET_REASON(code); }

// A new ECDSA P-256 key, or null.
static inline EVP_PKEY *slipway_new_p256_key(void) { return EVP_EC_gen("P-256"); }

static inline BIO *slipway_memory_bio(void) { return BIO_new(BIO_s_mem()); }

static inline long slipway_bio_contents(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }
