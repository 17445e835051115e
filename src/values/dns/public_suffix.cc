#include "values/dns/public_suffix.h"

#include <cstdio>

#include <fmt/format.h>
#include <libpsl.h>

namespace tapal::dns {

class PublicSuffixes::List {
 public:
  enum class Owner : std::uint8_t { us, library };

  List(const psl_ctx_t* rules, Owner owner) : rules_(rules), owner_(owner) {}
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    if (owner_ == Owner::us) psl_free(const_cast<psl_ctx_t*>(rules_));
  }
  const psl_ctx_t* rules() const { return rules_; }

 private:
  const psl_ctx_t* rules_;
  Owner owner_;
};

Result<PublicSuffixes> PublicSuffixes::from_text(std::string_view list) {
  if (list.size() > public_suffix_list_bytes_max) {
    return fail(
        Code::invalid,
        fmt::format("the public suffix list has more than {} bytes", public_suffix_list_bytes_max));
  }
  // libpsl reads files alone; fmemopen() takes no empty one.
  std::string text(list);
  text += '\n';
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fmemopen(text.data(), text.size(), "r"),
                                                   &std::fclose);
  psl_ctx_t* rules = file == nullptr ? nullptr : psl_load_fp(file.get());
  if (rules == nullptr) return fail(Code::internal, "the public suffix list could not be read");
  auto owner = std::make_shared<const List>(rules, List::Owner::us);
  if (psl_suffix_count(rules) <= 0) {
    return fail(Code::invalid, "the public suffix list has no rules");
  }
  return PublicSuffixes(std::move(owner));
}

PublicSuffixes PublicSuffixes::built_in() {
  return PublicSuffixes(std::make_shared<const List>(psl_builtin(), List::Owner::library));
}

std::optional<std::string> PublicSuffixes::registrable(std::string_view name) const {
  const std::string terminated(name);
  const char* found = psl_registrable_domain(list_->rules(), terminated.c_str());
  if (found == nullptr) return {};
  return found;
}

bool PublicSuffixes::is_listed(std::string_view name) const {
  const std::string terminated(name);
  return psl_is_public_suffix2(
             list_->rules(), terminated.c_str(), PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) == 1;
}

}  // namespace tapal::dns
