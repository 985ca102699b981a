// An interceptor that authorises the requests of Angular's HttpClient.

import type { HttpErrorResponse, HttpEventType, HttpInterceptorFn } from '@angular/common/http';
import { catchError, NEVER, Observable, tap } from 'rxjs';
import type { Session } from '../session/session.js';
import { type AuthFetchOptions, createAuthFetch } from './fetch.js';

/** Which requests get the token. */
export interface InterceptorOptions extends Omit<AuthFetchOptions, 'fetch' | 'expired'> {
  /**
   * Whether an error of HttpClient with a status from 400 on means that the token has expired. Default: as with
   * {@link AuthFetchOptions.expired}.
   */
  expired?: ((error: HttpErrorResponse) => boolean | Promise<boolean>) | false | undefined;
}

/** Written out, so that nothing of Angular has to be loaded for it; its type knows whether it is right. */
const RESPONSE: HttpEventType.Response = 4;

/** Tells createAuthFetch that a request has succeeded. */
const SUCCESS = { ok: true, status: 200, headers: new Headers() } as Response;

/**
 * Makes an interceptor for `provideHttpClient(withFetch(), withInterceptors([...]))` that authorises requests with the token
 * of `session`, by the rules of {@link createAuthFetch}. Put it last: interceptors after it see the token, and could change
 * the address.
 *
 * **Redirects** are refused with `withFetch()` only. `XMLHttpRequest` follows them by itself, and webviews from before 2022
 * then send the token to any origin; Angular warns of that in development.
 *
 * @throws `TypeError` with the code `invalid-argument` for options that {@link createAuthFetch} refuses.
 */
export function sessionInterceptor(session: Session, options: InterceptorOptions): HttpInterceptorFn {
  const { expired } = options;
  // Angular sends; each call brings its own way along.
  const authFetch = createAuthFetch(session, {
    ...options,
    expired:
      expired && ((response: unknown) => response !== SUCCESS && expired(response as HttpErrorResponse)),
    fetch: (url, init) => (init as { send: typeof fetch }).send(url, init),
  });
  return (request, next) => {
    if (request.headers.has('authorization')) return next(request);
    return new Observable((observer) => {
      let refused: unknown;
      // createAuthFetch hears of an error, and then sends again or gives up, and of the end; all else is for the observer.
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
          refused = undefined;
          next(attempt)
            .pipe(
              catchError((error) => {
                if (!(error?.status >= 400)) throw error;
                refused = error;
                // What createAuthFetch looks at, status and headers, it has like a Response.
                resolve(error);
                return NEVER;
              }),
              tap(({ type }) => {
                if (type === RESPONSE) resolve(SUCCESS);
              }),
            )
            .subscribe(observer);
        });
      const init = { redirect: request.redirect ?? 'follow', send } as RequestInit;
      authFetch(request.urlWithParams, init).then(
        () => {
          if (refused !== undefined) observer.error(refused);
        },
        (error) => observer.error(error),
      );
    });
  };
}
