// Where certificates that we get by ourselves are kept, with their keys and the accounts they are
// got by. Every call blocks for the disk: to be made on a worker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tapal {

struct KeptCertificate {
  std::string name;       // of its folder: a host name
  std::string chain_pem;  // empty: it is not there yet, and the note tells why
  std::string note;       // what we wrote about it; empty: it is none of ours, and is left alone
};

// What belongs together. The keys are secret.
struct CertificateSet {
  std::string chain_pem;
  std::string key_pem;
  std::string next_key_pem;  // of the certificate after this one, so that it can be announced
  std::string note;
};

struct AccountFiles {
  std::string key_pem;  // secret
  std::string note;     // empty: none yet
};

struct CertificateFiles {
  virtual ~CertificateFiles() = default;

  // By name; also those of others. What cannot be read is left out.
  virtual Result<std::vector<KeptCertificate>> list() = 0;
  // Replaces all of a certificate in one step: at every moment, also when the power fails, either
  // the old set is in place or the new one.
  virtual Result<void> put(std::string_view name, const CertificateSet& set) = 0;
  // Also of a certificate that is not there yet: its first order failed.
  virtual Result<void> put_note(std::string_view name, std::string_view note) = 0;
  // Code::not_found: there is none, or no such certificate.
  virtual Result<std::string> key(std::string_view name) = 0;
  virtual Result<std::string> next_key(std::string_view name) = 0;

  // `name` is one path segment. Code::not_found: there is no such account.
  virtual Result<AccountFiles> account(std::string_view name) = 0;
  virtual Result<void> put_account(std::string_view name, const AccountFiles& account) = 0;
  virtual Result<void> remove_account(std::string_view name) = 0;  // that none is there is no error
};

}  // namespace tapal
