// Certificates of ours as files: certs/<name>/ has fullchain.pem, privkey.pem, next.pem and the
// note .order.json; before it is there, the note is certs/.<name>.order.json. acme/<account>/ has
// account.pem and account.json. Keys are their owner's alone.
#pragma once

#include <filesystem>
#include <optional>

#include "ports/certificate_files.h"

namespace tapal::files {

class CertificateFolder final : public CertificateFiles {
 public:
  CertificateFolder(std::filesystem::path certificates, std::filesystem::path accounts)
      : certificates_(std::move(certificates)), accounts_(std::move(accounts)) {}

  Result<std::vector<KeptCertificate>> list() override;
  // The new set is made beside the old one, and the two folders change places (renameat2). Files
  // of others in the old one are gone with it.
  Result<void> put(std::string_view name, const CertificateSet& set) override;
  Result<void> put_note(std::string_view name, std::string_view note) override;
  Result<std::string> key(std::string_view name) override;
  Result<std::string> next_key(std::string_view name) override;
  Result<AccountFiles> account(std::string_view name) override;
  Result<void> put_account(std::string_view name, const AccountFiles& account) override;
  Result<void> remove_account(std::string_view name) override;

 private:
  std::optional<KeptCertificate> early_of(std::string_view file) const;

  std::filesystem::path certificates_;
  std::filesystem::path accounts_;
};

}  // namespace tapal::files
