package Caportal::Test::Leaf;

# Certificates and keys of every kind, good and bad, by the openssl command; and rows for them, as if the signer had
# issued them.

use v5.36;
use utf8;
use Caportal::Files qw(capture command folder read_file write_file);
use Digest::SHA qw(sha256_hex);
use Exporter 'import';
use MIME::Base64 qw(decode_base64 encode_base64);

our @EXPORT_OK = qw(leaf authority key der_of serial_of bind_row tampered SM2_ID);

# The signer's id of GM/T 0009, which both sides of an SM2 signature put in.
use constant SM2_ID => '1234567812345678';

my %keys = (
    p256      => [qw(EC -pkeyopt ec_paramgen_curve:P-256)],
    p384      => [qw(EC -pkeyopt ec_paramgen_curve:P-384)],
    p192      => [qw(EC -pkeyopt ec_paramgen_curve:prime192v1)],
    secp256k1 => [qw(EC -pkeyopt ec_paramgen_curve:secp256k1)],
    sm2       => [qw(EC -pkeyopt ec_paramgen_curve:SM2)],
    ed25519   => [qw(ED25519)],
    rsa       => [qw(RSA -pkeyopt rsa_keygen_bits:2048)],
    rsa1024   => [qw(RSA -pkeyopt rsa_keygen_bits:1024)],
    exponent3 => [qw(RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3)],
);

my @extensions = (
    'basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature,nonRepudiation',
    'extendedKeyUsage=clientAuth', 'authorityKeyIdentifier=keyid',
);

# A key of one of the kinds above in "$path.key".
sub key ($path, $kind = 'p256') {
    command(qw(openssl genpkey -algorithm), @{ $keys{$kind} }, '-out', "$path.key");
    return "$path.key";
}

sub _is_sm2 ($key) { return capture(qw(openssl pkey -noout -text -in), $key) =~ /ASN1 OID: SM2/ }

# An end entity's certificate in "$path.pem" with its key in "$path.key": options of a client. Options: issuer (path of
# .pem and .key; none: itself), kind (of key), subject, from and days (of its validity, in days from now), digest, ext
# (lines that replace those above), pubkey (a PEM file: of somebody else's key).
sub leaf ($path, %option) {
    my $key     = key($path, $option{kind} // 'p256');
    my $subject = $option{subject} // '/C=CN/O=测试单位/CN=' . ($path =~ s{.*/}{}r);
    my $from    = $option{from} // -1;

    write_file("$path.ext", join '', map {"$_\n"} @{ $option{ext} // \@extensions });
    command(qw(openssl req -new -utf8 -config /dev/null -key), $key, '-subj', $subject, '-out', "$path.csr",
        _is_sm2($key) ? ('-sm3', '-sigopt', 'distid:' . SM2_ID) : ());

    my $by = $option{issuer} // $path;
    my @sm2 = _is_sm2("$by.key")
        ? ('-sm3', '-sigopt', 'distid:' . SM2_ID, _is_sm2($key) ? ('-vfyopt', 'distid:' . SM2_ID) : ()) : ();
    command('faketime', '-f', sprintf('%+dd', $from), qw(openssl x509 -req), @sm2, '-in', "$path.csr", '-days',
        $option{days} // 30, '-extfile', "$path.ext", '-out', "$path.pem",
        ($option{digest} ? "-$option{digest}" : ()), ($option{pubkey} ? ('-force_pubkey', $option{pubkey}) : ()),
        ($option{issuer} ? ('-CA', "$by.pem", '-CAkey', "$by.key", '-set_serial', _serial()) : ('-signkey', $key)));
    return (cert => "$path.pem", key => $key);
}

sub _serial () { return '0x6' . join '', map { sprintf '%x', int rand 16 } 1 .. 31 }

# A certificate that issues, signed by itself: its path, without an ending.
sub authority ($path, $subject, $kind = 'p256') {
    my $key = key($path, $kind);
    command(qw(openssl req -x509 -utf8 -config /dev/null -days 3650 -key), $key, '-subj', $subject,
        (map { ('-addext', $_) } 'basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign',
            'subjectKeyIdentifier=hash'),
        $kind eq 'sm2' ? ('-sm3', '-sigopt', 'distid:' . SM2_ID) : (), '-out', "$path.pem");
    return $path;
}

sub der_of ($pem) { return decode_base64((read_file($pem) =~ /BEGIN CERTIFICATE-+\n(.*?)\n-+END/s)[0]) }

sub serial_of ($pem) {
    return lc +(capture(qw(openssl x509 -noout -serial -in), $pem) =~ /serial=0*([0-9A-F]+)/)[0];
}

# The same certificate with the last bit of its signature turned.
sub tampered ($path, $pem) {
    my $der = der_of($pem);
    substr($der, -1) ^.= "\x01";
    write_file("$path.pem", "-----BEGIN CERTIFICATE-----\n" . encode_base64($der) . "-----END CERTIFICATE-----\n");
    return "$path.pem";
}

# A row for a certificate, like that of another (its serial): account, unit and order are the same. Options: state,
# issuer (its name), der. Returns the row's id.
sub bind_row ($portal, $pem, $like, %option) {
    my $der = $option{der} // der_of($pem);

    $portal->change('INSERT INTO issuance (order_id, item, state, profile, years, subject, csr, next_try_at, created_at,'
        . ' updated_at) SELECT order_id, NULL, "issued", "test", 1, "{}", "", 0, 0, 0 FROM certificate WHERE serial = ?',
        $like);
    $portal->change('INSERT INTO certificate (issuance_id, order_id, account_id, unit_id, issuer, serial, sha256,'
        . ' spki_sha256, der, not_before, not_after, state, created_at)'
        . ' SELECT LAST_INSERT_ID(), order_id, account_id, unit_id, COALESCE(?, issuer), ?, UNHEX(?), UNHEX(?),'
        . ' UNHEX(?), ?, ?, ?, 0 FROM certificate WHERE serial = ?',
        $option{issuer}, serial_of($pem), sha256_hex($der), sha256_hex("$der spki"), unpack('H*', $der),
        map({ _time($pem, $_) } qw(startdate enddate)), $option{state} // 'valid', $like);
    return $portal->value('SELECT id FROM certificate WHERE sha256 = UNHEX(?)', sha256_hex($der));
}

# One of a certificate's dates, in ms.
sub _time ($pem, $which) {
    my ($text) = capture(qw(openssl x509 -noout -dateopt iso_8601), "-$which", '-in', $pem) =~ /=(.*)/;
    require Time::Piece;
    return 1000 * Time::Piece->strptime($text, '%Y-%m-%d %H:%M:%SZ')->epoch;
}

1;
