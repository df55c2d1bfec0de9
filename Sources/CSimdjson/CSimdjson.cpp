#include "CSimdjson.h"

#include <new>
#include <simdjson.h>
#include <vector>

using namespace simdjson;

struct slipway_json_parser {
    dom::parser parser;
    std::vector<slipway_json_node> nodes;
};

namespace {

// Appends `element` and everything inside it. Recursion is bounded by the parser's depth limit.
void append(std::vector<slipway_json_node> &nodes, dom::element element) {
    const size_t index = nodes.size();
    nodes.push_back(slipway_json_node{});
    slipway_json_node node{};
    switch (element.type()) {
    case dom::element_type::NULL_VALUE: node.kind = slipway_json_null; break;
    case dom::element_type::BOOL:
        node.kind = element.get_bool().value_unsafe() ? slipway_json_true : slipway_json_false;
        break;
    case dom::element_type::INT64:
        node.kind = slipway_json_integer;
        node.integer = element.get_int64().value_unsafe();
        break;
    case dom::element_type::UINT64:
        node.kind = slipway_json_unsigned;
        node.unsigned_integer = element.get_uint64().value_unsafe();
        break;
    case dom::element_type::DOUBLE:
        node.kind = slipway_json_double;
        node.number = element.get_double().value_unsafe();
        break;
    case dom::element_type::STRING: {
        const std::string_view text = element.get_string().value_unsafe();
        node.kind = slipway_json_string;
        node.text = text.data();
        node.length = static_cast<uint32_t>(text.size());
        break;
    }
    case dom::element_type::ARRAY:
        node.kind = slipway_json_array;
        for (dom::element child : element.get_array().value_unsafe()) {
            append(nodes, child);
            node.length++;
        }
        break;
    case dom::element_type::OBJECT:
        node.kind = slipway_json_object;
        for (dom::key_value_pair member : element.get_object().value_unsafe()) {
            slipway_json_node key{};
            key.kind = slipway_json_string;
            key.text = member.key.data();
            key.length = static_cast<uint32_t>(member.key.size());
            key.next = static_cast<uint32_t>(nodes.size() + 1);
            nodes.push_back(key);
            append(nodes, member.value);
            node.length++;
        }
        break;
    }
    node.next = static_cast<uint32_t>(nodes.size());
    nodes[index] = node;
}

} // namespace

slipway_json_parser *slipway_json_parser_create(void) { return new (std::nothrow) slipway_json_parser; }

void slipway_json_parser_destroy(slipway_json_parser *parser) { delete parser; }

enum slipway_json_result slipway_json_parse(
    slipway_json_parser *parser, const uint8_t *bytes, size_t length, size_t depth_max, const slipway_json_node **nodes,
    size_t *count) {
    try {
        if (parser->parser.allocate(length ? length : 1, depth_max)) return slipway_json_no_memory;
        dom::element root;
        switch (parser->parser.parse(bytes, length, false).get(root)) {
        case SUCCESS: break;
        case UTF8_ERROR: return slipway_json_bad_utf8;
        case DEPTH_ERROR: return slipway_json_too_deep;
        case MEMALLOC:
        case CAPACITY: return slipway_json_no_memory;
        default: return slipway_json_malformed;
        }
        parser->nodes.clear();
        append(parser->nodes, root);
        *nodes = parser->nodes.data();
        *count = parser->nodes.size();
        return slipway_json_ok;
    } catch (...) {
        return slipway_json_no_memory;
    }
}
