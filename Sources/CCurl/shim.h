// libcurl's option functions are variadic, which Swift cannot call: one typed wrapper for each argument type.
#pragma once
#include <curl/curl.h>
#include <stddef.h>

static inline CURLcode slipway_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode slipway_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode slipway_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode slipway_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*slipway_curl_data_callback)(char *bytes, size_t size, size_t count, void *context);
typedef int (*slipway_curl_seek_callback)(void *context, curl_off_t offset, int origin);

static inline CURLcode slipway_curl_set_data_callback(
    CURL *handle, CURLoption option, slipway_curl_data_callback callback) {
    return curl_easy_setopt(handle, option, callback);
}

static inline CURLcode slipway_curl_set_seek_callback(CURL *handle, slipway_curl_seek_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, callback);
}

static inline long slipway_curl_get_long(CURL *handle, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(handle, info, &value);
    return value;
}

static inline CURLMcode slipway_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
