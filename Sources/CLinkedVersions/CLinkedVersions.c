#include "CLinkedVersions.h"

#include <curl/curl.h>
#include <gnu/libc-version.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <yaml.h>
#include <zlib.h>

static const char *const names[] = {"openssl", "nghttp2", "sqlite", "curl", "zlib", "libyaml", "glibc"};

int slipway_linked_library_count(void) { return sizeof names / sizeof *names; }

const char *slipway_linked_library_name(int index) { return names[index]; }

const char *slipway_linked_library_version(int index) {
    switch (index) {
    case 0: return OpenSSL_version(OPENSSL_VERSION_STRING);
    case 1: return nghttp2_version(0)->version_str;
    case 2: return sqlite3_libversion();
    case 3: return curl_version_info(CURLVERSION_NOW)->version;
    case 4: return zlibVersion();
    case 5: return yaml_get_version_string();
    default: return gnu_get_libc_version();
    }
}
