/*
 * ssh.exe in Wine: starts wine-ssh.sh with its own words, for ssh -G. Wine passes a Unix program no pipe and
 * does not say how it ends, so what it printed and its status come by files.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

static wchar_t line[32768], base[64];

static FILE *open_part(const wchar_t *part)
{
	wchar_t path[96];
	_snwprintf(path, 95, L"Z:%ls.%ls", base, part);
	return _wfopen(path, L"rb");
}

static void copy_part(const wchar_t *part, FILE *to)
{
	FILE *from = open_part(part);
	for (int byte; from != NULL && (byte = getc(from)) != EOF;) putc(byte, to);
	if (from != NULL) fclose(from);
}

int wmain(void)
{
	STARTUPINFOW si = { .cb = sizeof si };
	PROCESS_INFORMATION pi;
	wchar_t *rest = GetCommandLineW();
	int status = 255;
	rest = *rest == L'"' ? wcschr(rest + 1, L'"') + 1 : rest + wcscspn(rest, L" ");
	_snwprintf(line, 32767, L"Z:\\bin\\sh /root/wine-ssh.sh%ls", rest);
	_snwprintf(base, 63, L"/tmp/wine-ssh-%lu-%lu", GetCurrentProcessId(), GetTickCount());
	SetEnvironmentVariableW(L"WINE_SSH_OUT", base);
	if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &si, &pi)) return 255;
	for (int waited = 0; waited < 30000; waited += 20) {
		FILE *done = open_part(L"status");
		if (done == NULL) {
			Sleep(20);
			continue;
		}
		fscanf(done, "%d", &status);
		fclose(done);
		copy_part(L"out", stdout);
		copy_part(L"err", stderr);
		return status;
	}
	return 255;
}
