import type { ApiOptions } from './deps.js';

/** The pages of the Temporal Web UI. */
export function temporalUiBase(ui: NonNullable<ApiOptions['temporalUi']>): string {
  return `${ui.url.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(ui.namespace)}`;
}
