// A C face for simdjson: text in, a flat tape out. One call parses a whole document; Swift then walks plain memory, so
// nothing crosses the language border for each value. No exception leaves this file.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One value of the tape. Containers are followed by their contents; `next` is the index just past the value.
typedef struct {
    uint8_t kind;      // slipway_json_kind
    uint32_t next;     // index of the value after this one
    uint32_t length;   // strings: bytes; objects: members; arrays: elements
    union {
        int64_t integer;
        uint64_t unsigned_integer;
        double number;
        const char *text; // into the parser's string buffer; valid until the parser's next use
    };
} slipway_json_node;

enum slipway_json_kind {
    slipway_json_null,
    slipway_json_false,
    slipway_json_true,
    slipway_json_integer,
    slipway_json_unsigned,
    slipway_json_double,
    slipway_json_string,
    slipway_json_array,
    slipway_json_object, // contents alternate: a string node (the key), then its value
};

typedef struct slipway_json_parser slipway_json_parser;

slipway_json_parser *slipway_json_parser_create(void);
void slipway_json_parser_destroy(slipway_json_parser *parser);

enum slipway_json_result {
    slipway_json_ok,
    slipway_json_malformed,
    slipway_json_bad_utf8,
    slipway_json_too_deep,
    slipway_json_no_memory,
};

// Parses `length` bytes, which the caller has padded: 64 more bytes behind them are readable. On success `*nodes` and
// `*count` give the tape, valid until the parser's next use.
enum slipway_json_result slipway_json_parse(
    slipway_json_parser *parser, const uint8_t *bytes, size_t length, size_t depth_max, const slipway_json_node **nodes,
    size_t *count);

#ifdef __cplusplus
}
#endif
