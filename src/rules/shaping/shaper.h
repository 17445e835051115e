// Keeps to what each receiver bears: the limits of sites by the provider table and by what their
// replies teach, and our own limits by sender domain and user. Sites that are down are left alone
// and asked with one message; none of it holds up another site. Belongs to one thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/queue/gate.h"
#include "rules/shaping/concurrency.h"
#include "rules/shaping/providers.h"
#include "rules/shaping/window.h"

namespace tapal::shaping {

struct ShaperOptions {
  std::size_t connections_per_site_max = 20;
  std::size_t connections_per_site_at_first = 5;
  std::optional<Rate> messages_per_sender_domain;
  std::optional<Rate> messages_per_user;
  std::optional<std::size_t> connections_per_user_max;
  // How long a site that is down is left alone: doubled each time it is still down.
  std::chrono::seconds down_at_first{60};
  std::chrono::seconds down_max = std::chrono::hours(1);
};

// What an attempt taught about its site.
struct Lesson {
  enum class Kind : std::uint8_t {
    went_well,  // it took what it was given, or refused a recipient or a message for good
    put_off,    // it answered, and wants no more for now: 4xx to the session or the sender
    no_answer,  // it could not be reached, hung, or spoke no SMTP
    nothing,    // only about a recipient, or about ourselves
  };
  Kind kind = Kind::nothing;
  bool connected_anew = true;       // false: an open connection was used
  const ReplyRule* rule = nullptr;  // what its reply calls for beside that; or null
  std::string said;                 // the reply or the trouble, for people
};

class Shaper final : public queue::Gate {
 public:
  // The table must outlive this.
  Shaper(ShaperOptions options, const ProviderTable& providers);
  ~Shaper() override;

  std::expected<queue::Permit, queue::Obstacle> enter(const queue::Crossing& crossing) override;
  void leave(std::string_view site,
             const queue::Sender& sender,
             const queue::Permit& permit) override;
  std::optional<queue::Obstacle> look(const queue::Crossing& crossing) const override;

  // Somebody is left alone from now on.
  struct Pause {
    std::string sender;  // a domain; empty: all mail to the site
    WallTime until{};
    std::string reason;
  };
  // To be told of each attempt, before leave(). A pause is returned by the attempt that began it.
  std::optional<Pause> learn(std::string_view site,
                             const queue::Sender& sender,
                             const Lesson& lesson,
                             WallTime now);
  const ProviderTable& providers() const { return providers_; }

  // Ends what was learned against a site, for a person who knows better.
  void forgive(std::string_view site);

 private:
  struct Site;
  struct Account;  // of a sender domain or a user
  using Accounts = std::map<std::string, Account, std::less<>>;

  Site& site(std::string_view name, WallTime now);
  const Site* known_site(std::string_view name) const;
  Account* account(Accounts& accounts, const std::string& name, const std::optional<Rate>& rate);
  std::optional<queue::Obstacle> obstacle_at(const Site& site,
                                             const queue::Crossing& crossing) const;
  std::optional<queue::Obstacle> obstacle_of(const Site* site,
                                             const queue::Crossing& crossing) const;
  std::string text_of(const queue::Obstacle& obstacle,
                      const Site* site,
                      const queue::Crossing& crossing) const;
  bool went_wrong(Site& site, const Lesson& lesson, WallTime now);
  std::optional<Pause> follow(const ReplyRule& rule,
                              Site& site,
                              const queue::Sender& sender,
                              WallTime now);
  void forget_idle(WallTime now);

  ShaperOptions options_;
  const ProviderTable& providers_;
  std::map<std::string, Site, std::less<>> sites_;
  Accounts sender_domains_;
  Accounts users_;
  std::size_t forget_at_;  // when there are as many sites as this, idle ones are forgotten
};

}  // namespace tapal::shaping
