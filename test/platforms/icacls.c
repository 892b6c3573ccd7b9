/* Stands in for icacls.exe in Wine, whose own does nothing: acts and prints as that of Windows, by its API. */
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <wchar.h>

static int fail(const char *what, DWORD error)
{
	fprintf(stderr, "%s: error %lu\n", what, error);
	return 1;
}

static void show_rights(DWORD mask)
{
	if ((mask & FILE_ALL_ACCESS) == FILE_ALL_ACCESS) printf("(F)");
	else if ((mask & (FILE_GENERIC_READ | FILE_GENERIC_EXECUTE)) == (FILE_GENERIC_READ | FILE_GENERIC_EXECUTE))
		printf(mask & FILE_WRITE_DATA ? "(M)" : "(RX)");
	else printf(mask & FILE_WRITE_DATA ? "(R,W)" : "(R)");
}

static int list(const wchar_t *path)
{
	PSECURITY_DESCRIPTOR sd;
	PACL dacl = NULL;
	DWORD error = GetNamedSecurityInfoW((wchar_t *)path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION,
	    NULL, NULL, &dacl, NULL, &sd);
	if (error != 0) return fail("GetNamedSecurityInfo", error);
	printf("%ls", path);
	for (DWORD i = 0; dacl != NULL && i < dacl->AceCount; i++) {
		ACCESS_ALLOWED_ACE *ace;
		wchar_t name[256], domain[256];
		DWORD name_size = 256, domain_size = 256;
		SID_NAME_USE use;
		GetAce(dacl, i, (void **)&ace);
		if (i > 0) printf("%*s", (int)wcslen(path), "");
		if (!LookupAccountSidW(NULL, (PSID)&ace->SidStart, name, &name_size, domain, &domain_size, &use))
			wcscpy(name, L"S-1-0-0"), domain[0] = 0;
		printf(" ");
		if (domain[0]) printf("%ls\\", domain);
		printf("%ls:", name);
		if (ace->Header.AceType == ACCESS_DENIED_ACE_TYPE) printf("(DENY)");
		if (ace->Header.AceFlags & INHERITED_ACE) printf("(I)");
		if (ace->Header.AceFlags & OBJECT_INHERIT_ACE) printf("(OI)");
		if (ace->Header.AceFlags & CONTAINER_INHERIT_ACE) printf("(CI)");
		show_rights(ace->Mask);
		printf("\n");
	}
	printf("\nSuccessfully processed 1 files; Failed processing 0 files\n");
	return 0;
}

/* The last name of the path and its list in SDDL, in UTF-16 without a mark. */
static int save(const wchar_t *path, const wchar_t *target)
{
	PSECURITY_DESCRIPTOR sd;
	const wchar_t *name = path;
	wchar_t *list;
	DWORD error = GetNamedSecurityInfoW((wchar_t *)path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION,
	    NULL, NULL, NULL, NULL, &sd);
	if (error != 0) return fail("GetNamedSecurityInfo", error);
	if (!ConvertSecurityDescriptorToStringSecurityDescriptorW(sd, SDDL_REVISION_1,
	    DACL_SECURITY_INFORMATION, &list, NULL))
		return fail("ConvertSecurityDescriptorToStringSecurityDescriptor", GetLastError());
	for (const wchar_t *at = path; *at; at++)
		if (*at == L'\\' || *at == L'/') name = at + 1;
	FILE *file = _wfopen(target, L"wb");
	if (file == NULL) return fail("fopen", GetLastError());
	fwrite(name, sizeof *name, wcslen(name), file);
	fwrite(L"\r\n", sizeof *name, 2, file);
	fwrite(list, sizeof *list, wcslen(list), file);
	fwrite(L"\r\n", sizeof *name, 2, file);
	fclose(file);
	return 0;
}

/* The account of a name, or of a SID after an asterisk. */
static PSID account(const wchar_t *name)
{
	static BYTE sid[SECURITY_MAX_SID_SIZE];
	wchar_t domain[256];
	DWORD sid_size = sizeof sid, domain_size = 256;
	SID_NAME_USE use;
	PSID numbered = NULL;
	if (name[0] == L'*') return ConvertStringSidToSidW(name + 1, &numbered) ? numbered : NULL;
	return LookupAccountNameW(NULL, name, sid, &sid_size, domain, &domain_size, &use) ? sid : NULL;
}

/* ACCOUNT:(OI)(CI)F, for that account alone. */
static int grant_only(const wchar_t *path, wchar_t *grant)
{
	BYTE acl[512];
	wchar_t *rights = wcschr(grant, L':');
	if (rights == NULL || wcscmp(rights, L":(OI)(CI)F") != 0) return fail("grant", 87);
	*rights = 0;
	PSID sid = account(grant);
	if (sid == NULL)
		return fail("No mapping between account names and security IDs was done.", GetLastError());
	InitializeAcl((PACL)acl, sizeof acl, ACL_REVISION);
	AddAccessAllowedAceEx((PACL)acl, ACL_REVISION, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE,
	    FILE_ALL_ACCESS, sid);
	SECURITY_DESCRIPTOR sd;
	InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION);
	SetSecurityDescriptorDacl(&sd, TRUE, (PACL)acl, FALSE);
	SetSecurityDescriptorControl(&sd, SE_DACL_PROTECTED, SE_DACL_PROTECTED);
	/* Not SetNamedSecurityInfo, which adds in Wine what the folder above grants, protected or not. */
	if (!SetFileSecurityW(path, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, &sd))
		return fail("SetFileSecurity", GetLastError());
	return 0;
}

int wmain(int argc, wchar_t **argv)
{
	if (argc == 2) return list(argv[1]);
	if (argc == 3 && wcscmp(argv[2], L"/reset") == 0) return 0;
	if (argc == 4 && wcscmp(argv[2], L"/save") == 0) return save(argv[1], argv[3]);
	if (argc == 5 && wcscmp(argv[2], L"/inheritance:r") == 0 && wcscmp(argv[3], L"/grant:r") == 0)
		return grant_only(argv[1], argv[4]);
	return fail("icacls", 87);
}
