#include "services/intake/branch.h"

#include <algorithm>
#include <set>
#include <utility>

namespace tapal::intake {
namespace {

class BodyBehindBlankLine final : public Body {
 public:
  explicit BodyBehindBlankLine(const Body& body) : body_(body) {}
  std::uint64_t size() const override { return body_.size() - blank_line; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const override {
    return body_.read(offset + blank_line, into);
  }

 private:
  static constexpr std::uint64_t blank_line = 2;
  const Body& body_;
};

}  // namespace

BodyPtr body_of(const Branch& branch) {
  return std::make_shared<BodyBehindBlankLine>(*branch.body);
}

std::vector<Branch> branches_of(std::vector<Placed> recipients) {
  std::vector<Branch> branches;
  for (auto& one : recipients) {
    auto found = std::ranges::find(branches, one.via_alias, &Branch::alias);
    if (found == branches.end()) {
      const auto place = one.via_alias ? branches.end() : branches.begin();
      found = branches.insert(place, Branch{one.via_alias, {}});
    }
    found->recipients.push_back(std::move(one.recipient));
  }
  return branches;
}

std::size_t count_branches(const std::vector<Placed>& recipients) {
  std::set<std::optional<mail::Address>> aliases;
  for (const auto& one : recipients) aliases.insert(one.via_alias);
  return aliases.size();
}

}  // namespace tapal::intake
