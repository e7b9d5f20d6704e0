/** Variables that scripts may see. The worker's own (tokens, secrets, addresses of its services) are not among them. */
const names = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'SYSTEMROOT',
  'COMSPEC',
  'PATHEXT',
  'APPDATA',
  'LOCALAPPDATA',
  'USERPROFILE',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'PYTHONPATH',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'LM_LICENSE_FILE',
  'CUDA_VISIBLE_DEVICES',
]);

/** Families of variables: locale, numerical libraries, graphics drivers, Pixyz itself. */
const prefixes = [
  'LC_',
  'XDG_',
  'OMP_',
  'MKL_',
  'OPENBLAS_',
  'NUMEXPR_',
  'CUDA_',
  'NVIDIA_',
  '__GL',
  'MESA_',
  'EGL_',
  'VK_',
  'PIXYZ_',
];

/** The part of the worker's environment that scripts get. */
export function scriptEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (names.has(name) || prefixes.some((prefix) => name.startsWith(prefix))) allowed[name] = value;
  }
  return allowed;
}
