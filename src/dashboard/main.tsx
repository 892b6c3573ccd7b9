/**
 * Entry point of the dashboard: theme and nonce, then the page for the address.
 *
 * @module
 */
import "./styles/tokens.css";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { Suspense } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client.ts";
import { router } from "./app/router.tsx";
import { signInAgain } from "./browser/sign-in.ts";
import { styleNonce } from "./browser/style-nonce.ts";
import { PageSkeleton } from "./components/skeleton.tsx";
import { Toasts } from "./components/toasts.tsx";

const RETRIES = 2;

// Libraries that create style sheets read the nonce from there.
setNonce(styleNonce());

const client = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // On the first load there is nothing to lose, so go straight to the sign-in.
      if (
        error instanceof ApiError &&
        error.status === 401 &&
        query.queryKey[1] === "GET /api/users/current"
      ) {
        signInAgain();
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < RETRIES && !(error instanceof ApiError && error.status > 0),
      refetchOnWindowFocus: false,
    },
  },
});

const element = document.getElementById("root");
if (element !== null) {
  createRoot(element).render(
    <QueryClientProvider client={client}>
      <Toasts>
        <Suspense fallback={<PageSkeleton />}>
          <RouterProvider router={router} />
        </Suspense>
      </Toasts>
    </QueryClientProvider>,
  );
}
