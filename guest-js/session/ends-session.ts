// Which failures of a refresh end the session.

/** Whether the server said that the grant is at its end, and not merely that something went wrong. */
export function endsSession(cause: unknown): boolean | Promise<boolean> {
  const { error, response, status = response?.status } = Object(cause);
  return error === 'invalid_grant' || status === 401 || status === 403;
}
