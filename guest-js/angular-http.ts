// An interceptor that authorises the requests of Angular's HttpClient.

import type { HttpInterceptorFn } from '@angular/common/http';
import { catchError, NEVER, Observable } from 'rxjs';
import { type AuthFetchOptions, createAuthFetch } from './fetch.js';
import type { Session } from './session.js';

/**
 * Makes an interceptor for `provideHttpClient(withFetch(), withInterceptors([...]))` that authorises requests with the token
 * of `session`, by the rules of {@link createAuthFetch}. Put it last: interceptors after it see the token, and could change
 * the address.
 *
 * **Redirects** are refused with `withFetch()` only. `XMLHttpRequest` follows them by itself, and webviews from before 2022
 * then send the token to any origin; Angular warns of that in development.
 *
 * @throws `TypeError` without origins, or for one that is not a bare `https:` or loopback origin.
 */
export function sessionInterceptor(
  session: Session,
  options: Pick<AuthFetchOptions, 'origins'>,
): HttpInterceptorFn {
  // Throws now, not with the first request.
  createAuthFetch(session, options);
  return (request, next) => {
    if (request.headers.has('authorization')) return next(request);
    return new Observable((observer) => {
      let refused: unknown;
      // Angular sends and answers the caller. createAuthFetch hears of a 401 only, and then sends again or gives up.
      const send = (_url: unknown, { headers, redirect = 'error' }: RequestInit = {}) =>
        new Promise<Response>((resolve) => {
          const authorization = new Headers(headers).get('authorization');
          const attempt = authorization
            ? request.clone({ setHeaders: { authorization }, redirect })
            : request;
          // Angular before 20.1 knows no `redirect`: it would follow one with the token.
          if (authorization && attempt.redirect !== redirect)
            throw new TypeError('sessionInterceptor needs Angular 20.1 or later');
          // Whoever has unsubscribed meanwhile wants nothing sent.
          if (observer.closed) return;
          next(attempt)
            .pipe(
              catchError((error) => {
                if (error?.status !== 401) throw error;
                refused = error;
                resolve(new Response(null, { status: 401 }));
                return NEVER;
              }),
            )
            .subscribe(observer);
        });
      createAuthFetch(session, { ...options, fetch: send })(request.urlWithParams, {
        redirect: request.redirect ?? 'follow',
      }).then(
        () => observer.error(refused),
        (error) => observer.error(error),
      );
    });
  };
}
