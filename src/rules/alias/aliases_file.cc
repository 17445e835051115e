#include "rules/alias/aliases_file.h"

#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "rules/alias/alias_line.h"
#include "values/text/ascii.h"

namespace tapal::alias {
namespace {

constexpr std::size_t problems_max = 100;

bool leaves_its_folder(std::string_view file) {
  if (file.starts_with('/')) return true;
  for (const std::string_view part : text::split(file, '/'))
    if (part.empty() || part == "." || part == "..") return true;
  return false;
}

class Reader {
 public:
  explicit Reader(const AliasesSource& source) : source_(source) {}

  AliasesFile read() {
    std::string_view text = source_.text;
    while (!text.empty() && result_.problems.size() < problems_max) {
      ++line_number_;
      read_line(take_line(text));
      if (result_.rules.size() > aliases_per_domain_max) {
        problem(fmt::format("more than {} aliases in one domain", aliases_per_domain_max));
        break;
      }
    }
    return std::move(result_);
  }

 private:
  void problem(std::string_view what) {
    result_.problems.push_back(fmt::format("{}:{}: {}", source_.file_name, line_number_, what));
  }

  void read_line(std::string_view line) {
    if (line.size() > alias_line_bytes_max)
      return problem(fmt::format("the line is longer than {} bytes", alias_line_bytes_max));
    const auto parts = read_alias_line(line);
    if (!parts) return problem(parts.error().what);
    const std::optional<AliasLine>& layout = *parts;
    if (!layout) return;
    AliasRule rule{.line = line_number_};
    if (!read_name(layout->name, rule)) return;
    if (read_targets(layout->targets, rule)) result_.rules.push_back(std::move(rule));
  }

  bool read_name(std::string_view name, AliasRule& rule) {
    rule.name = name;
    std::string key(name);
    if (name == "*") {
      rule.kind = AliasRule::Kind::catch_all;
    } else if (name.starts_with('/')) {
      if (!read_pattern(name, rule)) return false;
    } else {
      auto address = mail::parse_address(fmt::format("{}@{}", name, source_.domain));
      if (!address) {
        problem(fmt::format(
            "\"{}\" cannot be a local part: {}", text::printable(name, 80), address.error().what));
        return false;
      }
      rule.name = address->local;
      key = lookup_key(*address, source_.settings);
    }
    const auto [first, is_new] = first_lines_.try_emplace(std::move(key), line_number_);
    if (is_new) return true;
    problem(fmt::format(
        "{} is here a second time; first on line {}", text::printable(name, 80), first->second));
    return false;
  }

  bool read_pattern(std::string_view name, AliasRule& rule) {
    rule.kind = AliasRule::Kind::pattern;
    if (name.size() < 2 || !name.ends_with('/')) {
      problem(fmt::format("\"{}\": a pattern stands between two slashes, and a colon follows",
                          text::printable(name, 80)));
      return false;
    }
    if (++patterns_ > patterns_per_domain_max) {
      problem(fmt::format("more than {} patterns in one domain", patterns_per_domain_max));
      return false;
    }
    auto pattern = Pattern::compile(name.substr(1, name.size() - 2));
    if (!pattern) {
      problem(fmt::format("{}: {}", text::printable(name, 80), pattern.error().what));
      return false;
    }
    rule.pattern = *std::move(pattern);
    return true;
  }

  bool read_targets(std::string_view list, AliasRule& rule) {
    const TargetPlace place{.domain = source_.domain,
                            .captures = rule.pattern ? rule.pattern->captures() : 0,
                            .has_pattern = rule.pattern.has_value()};
    const auto wrong = [&](std::string_view what) {
      problem(fmt::format("{}: {}", text::printable(rule.name, 80), what));
      return false;
    };
    const auto parts = split_targets(list);
    if (!parts) return wrong(parts.error().what);
    for (const std::string_view part : *parts) {
      if (part.empty()) {
        problem(fmt::format("{} has an empty target", text::printable(rule.name, 80)));
        return false;
      }
      auto target = read_target(part, place);
      if (!target) {
        problem(target.error().what);
        return false;
      }
      if (target->kind == RuleTarget::Kind::reject && parts->size() > 1)
        return wrong(":reject: stands alone");
      if (target->kind == RuleTarget::Kind::keep && rule.kind != AliasRule::Kind::name)
        return wrong(":keep: is for an alias that bears a user's name");
      if (target->kind == RuleTarget::Kind::include) {
        if (!include(target->text, rule)) return false;
      } else if (!add(*std::move(target), rule)) {
        return false;
      }
    }
    return true;
  }

  bool add(RuleTarget target, AliasRule& rule) {
    if (rule.targets.size() == targets_max) {
      problem(fmt::format("{} has more than {} targets", rule.name, targets_max));
      return false;
    }
    rule.targets.push_back(std::move(target));
    return true;
  }

  bool include(const std::string& file, AliasRule& rule) {
    if (leaves_its_folder(file)) {
      problem(fmt::format("\"{}\": a file is included by its name or path below this folder",
                          text::printable(file, 80)));
      return false;
    }
    if (++includes_ > includes_per_domain_max) {
      problem(fmt::format("more than {} files are included", includes_per_domain_max));
      return false;
    }
    const auto text = source_.read_include
                          ? source_.read_include(file)
                          : Result<std::string>(fail(Code::not_found, file + " is not there"));
    if (!text) {
      problem(text.error().what);
      return false;
    }
    return read_included(file, *text, rule);
  }

  bool read_included(const std::string& file, std::string_view text, AliasRule& rule) {
    const std::string_view folder = source_.file_name.substr(0, source_.file_name.rfind('/') + 1);
    std::size_t line_number = 0;
    const auto wrong = [&](std::string_view what) {
      result_.problems.push_back(fmt::format("{}{}:{}: {}", folder, file, line_number, what));
      return false;
    };
    const TargetPlace place{.domain = source_.domain};
    while (!text.empty()) {
      ++line_number;
      const auto list = text::trim(without_comment(take_line(text)));
      if (list.empty()) continue;
      const auto parts = split_targets(list);
      if (!parts) return wrong(parts.error().what);
      for (const std::string_view part : *parts) {
        auto target = read_target(part, place);
        // The text is not repeated: somebody may have included a file of secrets.
        if (!target) return wrong("this is neither a local part nor an address");
        if (target->kind != RuleTarget::Kind::address)
          return wrong("an included file has addresses only");
        if (!add(*std::move(target), rule)) return false;
      }
    }
    return true;
  }

  const AliasesSource& source_;
  std::size_t line_number_ = 0;
  std::size_t patterns_ = 0;
  std::size_t includes_ = 0;
  std::unordered_map<std::string, std::size_t> first_lines_;
  AliasesFile result_;
};

}  // namespace

AliasesFile read_aliases(const AliasesSource& source) { return Reader(source).read(); }

std::string lookup_key(const mail::Address& address, const account::DomainSettings& settings) {
  if (!settings.ignore_dots) return address.key();
  mail::Address plain = address;
  std::erase(plain.local, '.');
  return plain.key();
}

}  // namespace tapal::alias
