-- Starts the server for Dockerfiles unless the user has set `vim.g.dfls_no_auto_start`.
if vim.g.loaded_dfls then
  return
end
vim.g.loaded_dfls = true

if not vim.g.dfls_no_auto_start then
  require('dfls').setup()
end
