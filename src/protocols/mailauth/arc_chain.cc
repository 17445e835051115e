#include "protocols/mailauth/arc_chain.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "protocols/mailauth/signed_header.h"
#include "values/text/ascii.h"

namespace tapal::mailauth {
namespace {

constexpr std::size_t results_bytes_max = 4096;  // of what is told; longer is cut
constexpr std::array<std::string_view, 3> field_names = {
    arc_results_field_name, arc_message_field_name, arc_seal_field_name};

// 1 to arc_sets_max (RFC 8617 section 4.2.1: one or two digits).
std::optional<int> read_instance(std::string_view digits) {
  const auto number = digits.size() <= 2 ? text::to_number<unsigned>(digits) : std::nullopt;
  if (!number || *number < 1 || *number > arc_sets_max) return {};
  return static_cast<int>(*number);
}

// "i = 1" without its white space, or nothing.
std::optional<std::string_view> instance_digits(std::string_view piece) {
  piece = text::trim(piece);
  if (piece.empty() || text::to_lower(piece.front()) != 'i') return {};
  piece = text::trim(piece.substr(1));
  if (!piece.starts_with('=')) return {};
  return text::trim(piece.substr(1));
}

struct ReadResults {
  std::optional<int> instance;
  std::string payload;
};

// i= comes first (RFC 8617 section 4.1.1); some put it later, which changes nothing since the seal
// covers it where it is.
ReadResults read_results(const RawField& field) {
  const std::string_view body = field.raw.substr(field.raw.find(':') + 1);
  ReadResults read;
  bool found = false;
  for (const std::string_view piece : text::split(body, ';')) {
    const auto digits = found ? std::nullopt : instance_digits(piece);
    if (digits) {
      found = true;
      read.instance = read_instance(*digits);
      continue;
    }
    if (read.payload.size() > results_bytes_max) continue;
    std::string_view before = read.payload.empty() ? "" : "; ";
    for (const std::string_view word : text::words(piece)) {
      read.payload.append(before).append(word);
      before = " ";
    }
  }
  read.payload = text::printable(read.payload, results_bytes_max);
  return read;
}

Result<ArcSeal> read_seal(const TagList& tags) {
  // RFC 8617 section 4.1.3: "h" must not be there.
  if (tags.find("h") != nullptr) return fail(Code::invalid, "an h= tag, which a seal may not have");
  // Nor has a seal a choice of forms: who says another one has hashed something else.
  if (const Tag* form = tags.find("c"); form != nullptr) {
    const auto header_form = form->value.substr(0, form->value.find('/'));
    if (!text::equals_ignoring_case(header_form, "relaxed")) {
      return fail(Code::invalid, "c= is not relaxed");
    }
  }
  const auto chain = arc_status_from_text(tags.value("cv"));
  if (!chain) return fail(Code::invalid, "cv= is not none, pass or fail");
  ArcSeal seal{.chain = *chain, .signature = {}};
  TAPAL_TRY(seal.signature, DkimSignature::from_arc_seal_tags(tags));
  return seal;
}

Result<DkimSignature> read_message_signature(const TagList& tags) {
  TAPAL_TRY(auto signature, DkimSignature::from_arc_message_tags(tags));
  if (tags.find("c") == nullptr) {
    // RFC 6376 would have it mean simple; dkimpy and mailauth take it for relaxed, the one form
    // that ARC's other fields know, and what passes at one hop must not fail at the next.
    signature.header_form = Canonicalization::relaxed;
    signature.body_form = Canonicalization::relaxed;
  }
  for (const std::string_view name : signature.signed_fields) {
    if (text::equals_ignoring_case(name, arc_seal_field_name)) {
      return fail(Code::invalid, "h= lists ARC-Seal (RFC 8617 section 4.1.2)");
    }
  }
  return signature;
}

class ChainReader {
 public:
  explicit ChainReader(const FieldIndex& fields) : fields_(fields) {}

  ArcChain read() {
    for (const std::string_view name : field_names) {
      const auto& instances = fields_.instances(name);
      const std::size_t looked_at = std::min(instances.size(), std::size_t{arc_sets_max} + 1);
      for (std::size_t i = 0; i < looked_at; ++i) take(name, *instances[i]);
    }
    ArcChain chain;
    for (auto& [instance, set] : sets_) chain.sets.push_back(std::move(set));
    if (trouble_.empty()) check(chain);
    chain.trouble = std::move(trouble_);
    return chain;
  }

 private:
  // Only the first trouble is told.
  void trouble(std::string what) {
    if (trouble_.empty()) trouble_ = std::move(what);
  }

  void take(std::string_view name, const RawField& field) {
    if (name == arc_results_field_name) {
      ReadResults read = read_results(field);
      if (ArcSet* set = place(name, read.instance, &ArcSet::results_field, field)) {
        set->results = std::move(read.payload);
      }
      return;
    }
    const auto tags = field_tags(field);
    if (!tags) return trouble(fmt::format("malformed {}: {}", name, tags.error().what));
    const auto instance = read_instance(tags->value("i"));
    if (name == arc_message_field_name) {
      if (ArcSet* set = place(name, instance, &ArcSet::message_field, field)) {
        set->message_signature = read_message_signature(*tags);
      }
    } else if (ArcSet* set = place(name, instance, &ArcSet::seal_field, field)) {
      set->seal = read_seal(*tags);
    }
  }

  // The set that the field belongs to, or nullptr.
  ArcSet* place(std::string_view name,
                std::optional<int> instance,
                const RawField* ArcSet::* where,
                const RawField& field) {
    if (!instance) {
      trouble(fmt::format("an {} field whose i= is not 1 to {}", name, arc_sets_max));
      return nullptr;
    }
    const auto absent = std::unexpected(Error{Code::not_found, "it is not there"});
    ArcSet& set = sets_
                      .try_emplace(*instance,
                                   ArcSet{.instance = *instance,
                                          .results = {},
                                          .message_signature = absent,
                                          .seal = absent})
                      .first->second;
    if (set.*where != nullptr) {
      trouble(fmt::format("more than one {} field with i={}", name, *instance));
      return nullptr;
    }
    set.*where = &field;
    return &set;
  }

  // RFC 8617 section 5.2, steps 2 and 3. Of message signatures only the newest must be well formed.
  void check(const ArcChain& chain) {
    int expected = 1;
    for (const ArcSet& set : chain.sets) {
      if (set.instance != expected++) {
        return trouble(fmt::format("no ARC set with i={}", expected - 1));
      }
      check(set);
      if (!trouble_.empty()) return;
    }
    if (chain.sets.empty()) return;
    const ArcSet& newest = chain.sets.back();
    if (!newest.message_signature) {
      trouble(fmt::format("malformed {} with i={}: {}",
                          arc_message_field_name,
                          newest.instance,
                          newest.message_signature.error().what));
    }
  }

  void check(const ArcSet& set) {
    const std::array<const RawField*, 3> fields = {
        set.results_field, set.message_field, set.seal_field};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields.at(i) == nullptr) {
        return trouble(fmt::format("no {} field with i={}", field_names.at(i), set.instance));
      }
    }
    if (!set.seal) {
      return trouble(fmt::format(
          "malformed {} with i={}: {}", arc_seal_field_name, set.instance, set.seal.error().what));
    }
    const ArcStatus expected = set.instance == 1 ? ArcStatus::none : ArcStatus::pass;
    if (set.seal->chain == ArcStatus::fail) {
      trouble(fmt::format("the seal with i={} says that the chain had failed", set.instance));
    } else if (set.seal->chain != expected) {
      trouble(fmt::format("the seal with i={} says cv={}, which it must not",
                          set.instance,
                          arc_status_text(set.seal->chain)));
    }
  }

  const FieldIndex& fields_;
  std::map<int, ArcSet> sets_;
  std::string trouble_;
};

}  // namespace

std::string_view arc_status_text(ArcStatus status) {
  switch (status) {
    case ArcStatus::none: return "none";
    case ArcStatus::pass: return "pass";
    case ArcStatus::fail: return "fail";
  }
  return "fail";
}

std::optional<ArcStatus> arc_status_from_text(std::string_view text) {
  for (const auto status : {ArcStatus::none, ArcStatus::pass, ArcStatus::fail}) {
    if (text::equals_ignoring_case(text, arc_status_text(status))) return status;
  }
  return {};
}

ArcChain read_arc_chain(const FieldIndex& fields) { return ChainReader(fields).read(); }

}  // namespace tapal::mailauth
