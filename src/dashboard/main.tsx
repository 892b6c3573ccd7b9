/**
 * Entry point of the dashboard: theme and nonce, then the page for the address.
 *
 * @module
 */
import "./styles/tokens.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { Suspense } from "react";
import { createRoot } from "react-dom/client";
import { queryClient, readAhead } from "./app/query-client.ts";
import { router } from "./app/router.tsx";
import { styleNonce } from "./browser/style-nonce.ts";
import { PageSkeleton } from "./components/skeleton.tsx";
import { Toasts } from "./components/toasts.tsx";

// Libraries that create style sheets read the nonce from there.
setNonce(styleNonce());

// Every page needs it, so it is asked for before anything is rendered.
readAhead("GET /api/users/current");

const element = document.getElementById("root");
if (element !== null) {
  createRoot(element).render(
    <QueryClientProvider client={queryClient}>
      <Toasts>
        <Suspense fallback={<PageSkeleton />}>
          <RouterProvider router={router} />
        </Suspense>
      </Toasts>
    </QueryClientProvider>,
  );
}
