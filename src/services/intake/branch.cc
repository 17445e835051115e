#include "services/intake/branch.h"

#include <algorithm>
#include <set>
#include <utility>

namespace tapal::intake {

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
