/*
 * Starts a program with pipes of Windows and carries their bytes: Wine's own for a Unix pipe is one that libuv,
 * and so Bun, cannot open. OpenSSH for Windows gives its ProxyCommand pipes of Windows.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

struct way { HANDLE from, to; };

static DWORD WINAPI carry(void *given)
{
	struct way *way = given;
	static __thread char bytes[65536];
	DWORD length, written;
	while (ReadFile(way->from, bytes, sizeof bytes, &length, NULL) && length > 0)
		for (DWORD at = 0; at < length; at += written)
			if (!WriteFile(way->to, bytes + at, length - at, &written, NULL)) return 1;
	CloseHandle(way->to);
	return 0;
}

int wmain(void)
{
	SECURITY_ATTRIBUTES inherited = { sizeof inherited, NULL, TRUE };
	STARTUPINFOW si = { .cb = sizeof si, .dwFlags = STARTF_USESTDHANDLES };
	PROCESS_INFORMATION pi;
	struct way in = { GetStdHandle(STD_INPUT_HANDLE) }, out = { .to = GetStdHandle(STD_OUTPUT_HANDLE) };
	wchar_t *rest = GetCommandLineW();
	DWORD status = 255;
	rest = *rest == L'"' ? wcschr(rest + 1, L'"') + 1 : rest + wcscspn(rest, L" ");
	while (*rest == L' ') rest++;
	CreatePipe(&si.hStdInput, &in.to, &inherited, 65536);
	CreatePipe(&out.from, &si.hStdOutput, &inherited, 65536);
	SetHandleInformation(in.to, HANDLE_FLAG_INHERIT, 0);
	SetHandleInformation(out.from, HANDLE_FLAG_INHERIT, 0);
	si.hStdError = GetStdHandle(STD_ERROR_HANDLE);
	if (!CreateProcessW(NULL, rest, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi)) return 255;
	CloseHandle(si.hStdInput);
	CloseHandle(si.hStdOutput);
	CreateThread(NULL, 0, carry, &in, 0, NULL);
	carry(&out);
	WaitForSingleObject(pi.hProcess, INFINITE);
	GetExitCodeProcess(pi.hProcess, &status);
	return status;
}
