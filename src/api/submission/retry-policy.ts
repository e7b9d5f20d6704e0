export { type RetryOptions, retryPolicyOf } from '../../graph/retry-policy.js';
