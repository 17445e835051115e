// Another server's files, for tests.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/migrate/inventory.h"

namespace tapal::migrate {

class TestTree final : public OldFiles {
 public:
  using Texts = std::map<std::string, std::string, std::less<>>;
  explicit TestTree(Texts texts) : texts_(std::move(texts)) {}

  Result<std::string> read(std::string_view path) const override {
    const auto found = texts_.find(path);
    if (found == texts_.end())
      return fail(Code::not_found, std::string(path) + ": there is no such file");
    return found->second;
  }
  std::vector<std::string> names_in(std::string_view folder) const override {
    const std::string begin = std::string(folder) + "/";
    std::vector<std::string> names;
    for (const auto& [path, text] : texts_) {
      if (!path.starts_with(begin)) continue;
      auto name = path.substr(begin.size(), path.find('/', begin.size()) - begin.size());
      if (names.empty() || names.back() != name) names.push_back(std::move(name));
    }
    return names;
  }

 private:
  Texts texts_;
};

// "place: what" of each thing left behind.
inline std::vector<std::string> left(const Inventory& inventory) {
  std::vector<std::string> lines;
  for (const auto& [place, what] : inventory.left_behind) lines.push_back(place + ": " + what);
  return lines;
}

// "name -> target, target" of each alias.
inline std::vector<std::string> aliases_of(const OldDomain& domain) {
  std::vector<std::string> lines;
  for (const auto& alias : domain.aliases) {
    std::string line = alias.name + " ->";
    for (const auto& target : alias.targets) line += " " + target + ",";
    line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

}  // namespace tapal::migrate
