#include "app/settings_toml.h"

#include <algorithm>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#define TOML_MAX_NESTED_VALUES 64
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <toml++/toml.h>

#include "values/text/ascii.h"

namespace tapal::app {
namespace {

TomlPlace place_of(const toml::source_position& position) {
  return {position.line, position.column};
}

TomlScalar scalar_of(const toml::node& node) {
  TomlScalar scalar;
  scalar.place = place_of(node.source().begin);
  if (const auto* text = node.as_string()) {
    scalar.value = text->get();
  } else if (const auto* integer = node.as_integer()) {
    scalar.value = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    scalar.value = real->get();
  } else if (const auto* flag = node.as_boolean()) {
    scalar.value = flag->get();
  }
  return scalar;
}

// Depth first with a list of what is left to do; reversed, so that the text's order comes out.
class Flattener {
 public:
  TomlText flatten(const toml::table& root) {
    push(root, {});
    while (!waiting_.empty()) {
      Waiting next = std::move(waiting_.back());
      waiting_.pop_back();
      if (result_.entries.size() >= toml_entries_max) {
        result_.problems.push_back(
            {next.place, fmt::format("more than {} settings", toml_entries_max)});
        break;
      }
      take(std::move(next));
    }
    // The library keeps keys sorted; people read from top to bottom.
    std::ranges::sort(result_.entries, [](const TomlEntry& a, const TomlEntry& b) {
      return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
    });
    return std::move(result_);
  }

 private:
  struct Waiting {
    const toml::node* node;
    std::vector<std::string> path;
    TomlPlace place;
  };

  void push(const toml::table& table, const std::vector<std::string>& path) {
    for (const auto& [key, node] : table) {
      std::vector<std::string> below = path;
      below.emplace_back(key.str());
      waiting_.push_back({&node, std::move(below), place_of(key.source().begin)});
    }
  }

  void take(Waiting next) {
    if (const auto* table = next.node->as_table()) {
      if (table->empty()) {
        result_.entries.push_back({std::move(next.path), next.place, TomlEmptyTable{}});
      } else if (next.path.size() >= toml_depth_max) {
        result_.problems.push_back({next.place, "tables are nested too deep"});
      } else {
        push(*table, next.path);
      }
      return;
    }
    if (const auto* array = next.node->as_array()) {
      TomlList list;
      for (const toml::node& item : *array) list.items.push_back(scalar_of(item));
      result_.entries.push_back({std::move(next.path), next.place, std::move(list)});
      return;
    }
    result_.entries.push_back({std::move(next.path), next.place, scalar_of(*next.node)});
  }

  TomlText result_;
  std::vector<Waiting> waiting_;
};

}  // namespace

std::string toml_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string toml_path_text(const std::vector<std::string>& path) {
  std::string joined;
  for (const std::string& key : path) {
    if (!joined.empty()) joined += '.';
    const bool is_bare = !key.empty() && std::ranges::all_of(key, [](char c) {
      return text::is_alnum(c) || c == '_' || c == '-';
    });
    joined += is_bare ? key : toml_quoted(key);
  }
  return joined;
}

TomlText read_toml(std::string_view text) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    TomlText failed;
    const toml::parse_error& error = parsed.error();
    failed.problems.push_back({place_of(error.source().begin),
                               "this is not TOML: " + text::printable(error.description())});
    return failed;
  }
  return Flattener().flatten(parsed.table());
}

}  // namespace tapal::app
