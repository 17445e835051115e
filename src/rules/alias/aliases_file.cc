#include "rules/alias/aliases_file.h"

#include <unordered_map>

#include <fmt/format.h>

#include "values/text/ascii.h"

namespace tapal::alias {
namespace {

constexpr std::size_t problems_max = 100;

std::string_view without_comment(std::string_view line) {
  for (std::size_t at = line.find('#'); at != line.npos; at = line.find('#', at + 1)) {
    // Within a word "#" is a legal character of a local part.
    if (at == 0 || text::is_white_space(line[at - 1])) return line.substr(0, at);
  }
  return line;
}

class Reader {
 public:
  Reader(std::string_view domain, std::string_view file_name)
      : domain_(domain), file_name_(file_name) {}

  AliasesFile read(std::string_view text) {
    while (!text.empty() && result_.problems.size() < problems_max) {
      ++line_number_;
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
      if (line.size() > alias_line_bytes_max) {
        problem(fmt::format("the line is longer than {} bytes", alias_line_bytes_max));
      } else if (const auto rule = text::trim(without_comment(line)); !rule.empty()) {
        read_rule(rule);
      }
      if (result_.rules.size() > aliases_per_domain_max) {
        problem(fmt::format("more than {} aliases in one domain", aliases_per_domain_max));
        break;
      }
    }
    return std::move(result_);
  }

 private:
  void problem(std::string_view what) {
    result_.problems.push_back(fmt::format("{}:{}: {}", file_name_, line_number_, what));
  }

  void read_rule(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return problem("no colon; a line is \"local: target, target\"");
    const std::string_view name = text::trim(line.substr(0, colon));
    AliasRule rule{std::string(name), {}, line_number_};
    std::string key = "*";
    if (name != "*") {
      const auto address = mail::parse_address(fmt::format("{}@{}", name, domain_));
      if (!address) {
        return problem(fmt::format(
            "\"{}\" cannot be a local part: {}", text::printable(name, 80), address.error().what));
      }
      rule.name = address->local;
      key = address->key();
    }
    const auto [first, is_new] = first_lines_.try_emplace(std::move(key), line_number_);
    if (!is_new) {
      return problem(fmt::format(
          "{} is here a second time; first on line {}", text::printable(name, 80), first->second));
    }
    if (read_targets(line.substr(colon + 1), rule)) result_.rules.push_back(std::move(rule));
  }

  bool read_targets(std::string_view list, AliasRule& rule) {
    for (const std::string_view part : text::split(list, ',')) {
      const std::string_view target = text::trim(part);
      if (target.empty()) {
        problem(fmt::format("{} has an empty target", text::printable(rule.name, 80)));
        return false;
      }
      if (rule.targets.size() == targets_max) {
        problem(fmt::format("{} has more than {} targets", rule.name, targets_max));
        return false;
      }
      auto address = mail::parse_address(
          target.contains('@') ? std::string(target) : fmt::format("{}@{}", target, domain_));
      if (!address) {
        problem(fmt::format("\"{}\" is neither a local part nor an address: {}",
                            text::printable(target, 80),
                            address.error().what));
        return false;
      }
      rule.targets.push_back(*std::move(address));
    }
    return true;
  }

  std::string_view domain_;
  std::string_view file_name_;
  std::size_t line_number_ = 0;
  std::unordered_map<std::string, std::size_t> first_lines_;
  AliasesFile result_;
};

}  // namespace

AliasesFile read_aliases(std::string_view text,
                         std::string_view domain,
                         std::string_view file_name) {
  return Reader(domain, file_name).read(text);
}

}  // namespace tapal::alias
