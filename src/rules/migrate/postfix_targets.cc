#include "rules/migrate/postfix_targets.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/migrate/logical_lines.h"
#include "values/text/ascii.h"

namespace tapal::migrate {
namespace {

// Parted by commas outside of quotes; the quotes go.
std::vector<std::string> quoted_items(std::string_view value) {
  std::vector<std::string> items;
  std::string item;
  bool is_quoted = false;
  const auto end_item = [&] {
    if (const auto text = text::trim(item); !text.empty()) items.emplace_back(text);
    item.clear();
  };
  for (const char c : value) {
    if (c == '"')
      is_quoted = !is_quoted;
    else if (c == ',' && !is_quoted)
      end_item();
    else
      item += c;
  }
  end_item();
  return items;
}

// Postfix runs a command by itself as long as there is nothing in it that a shell would act on.
bool needs_shell(std::string_view command) {
  return command.find_first_of("$&*(){}[]'\"\\|;<>?~`\n") != command.npos;
}

class Targets {
 public:
  Targets(const OldFiles& files,
          const TableEntry& entry,
          const TargetContext& context,
          Inventory& inventory)
      : files_(files), entry_(entry), context_(context), inventory_(inventory) {}

  std::vector<std::string> read() {
    for (const auto& item : quoted_items(entry_.value)) add(item);
    if (!program_.empty()) targets_.push_back(program_);  // it takes the rest of its line
    return std::move(targets_);
  }

 private:
  void leave(std::string_view why) {
    inventory_.leave(entry_.place, fmt::format("{}: {}", text::printable(entry_.key, 80), why));
  }

  void add(std::string_view item) {
    constexpr std::string_view include = ":include:";
    if (item.starts_with('|')) return add_program(text::trim(item.substr(1)));
    if (item.starts_with(include)) return add_included(text::trim(item.substr(include.size())));
    if (item.starts_with('/') && item.ends_with('/')) {
      targets_.push_back(fmt::format(":maildir: {}", item.substr(0, item.size() - 1)));
    } else if (item.starts_with('/')) {
      leave(fmt::format("mail is not appended to files here ({})", text::printable(item, 200)));
    } else {
      targets_.push_back(address_target(item, context_));
    }
  }

  void add_program(std::string_view command) {
    if (needs_shell(command))
      return leave("there is no shell for programs here: put the command into a script");
    if (!program_.empty()) return leave("only one program can be the target of an alias here");
    program_ = fmt::format("| {}", fmt::join(text::words(command), " "));
  }

  void add_included(std::string_view path) {
    const auto text = files_.read(path);
    if (!text) return leave(text.error().what);
    for (const auto& line : logical_lines(*text)) {
      for (const auto& item : quoted_items(line.text)) {
        if (item.starts_with(':') || item.starts_with('|') || item.starts_with('/'))
          leave(fmt::format("a list has addresses only here, not {}", text::printable(item, 80)));
        else
          targets_.push_back(address_target(item, context_));
      }
    }
  }

  const OldFiles& files_;
  const TableEntry& entry_;
  const TargetContext& context_;
  Inventory& inventory_;
  std::vector<std::string> targets_;
  std::string program_;
};

}  // namespace

std::string address_target(std::string_view address, const TargetContext& context) {
  if (address.starts_with('\\')) address.remove_prefix(1);  // "not by its alias"
  const auto at = address.rfind('@');
  const auto local = address.substr(0, at);
  auto domain = at == address.npos ? context.home : address.substr(at + 1);
  if (text::starts_with_ignoring_case(domain, "localhost")) domain = context.home;
  if (local.empty()) return fmt::format("*@{}", domain);  // "@example.com": the same name there
  if (text::equals_ignoring_case(domain, context.domain)) return std::string(local);
  return fmt::format("{}@{}", local, domain);
}

std::vector<std::string> alias_targets(const OldFiles& files,
                                       const TableEntry& entry,
                                       const TargetContext& context,
                                       Inventory& inventory) {
  return Targets(files, entry, context, inventory).read();
}

}  // namespace tapal::migrate
