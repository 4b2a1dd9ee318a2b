package Sandbox::Sms;

# SendSms: what is asked for in a request that the gate has let pass.

use v5.36;
use utf8;
use warnings FATAL => 'all';

use Exporter qw(import);
use Mojo::JSON qw(from_json);
use Mojo::Util qw(decode);
use Sandbox::Acs3 qw(decode_query);

our @EXPORT_OK = qw(parse_message plain_phone);

use constant {ACTION => 'SendSms', VERSION => '2017-05-25', MAX_PHONES => 1000};

# Returns ({phones, template, params}) or (undef, status, code, message).
# The provider reports faults of the message itself with status 200.
sub parse_message ($request) {
  my $headers = $request->{headers};
  return (undef, 404, 'InvalidAction.NotFound', 'Specified api is not found.')
    if $headers->{'x-acs-action'} ne ACTION;
  return (undef, 404, 'InvalidVersion', 'Specified parameter Version is not valid.')
    if $headers->{'x-acs-version'} ne VERSION;

  my %given = map { decode('UTF-8', $_->[0]) // '' => decode('UTF-8', $_->[1]) // '' }
    @{decode_query($request->{query})};
  for my $name (qw(PhoneNumbers SignName TemplateCode)) {
    return (undef, 400, 'MissingParameter', "$name is mandatory for this action.")
      if ($given{$name} // '') eq '';
  }
  my ($phones, @phone_fault) = _phones($given{PhoneNumbers});
  return (undef, 200, @phone_fault) if @phone_fault;
  my $params = _params($given{TemplateParam})
    // return (undef, 200, 'isv.INVALID_JSON_PARAM', 'JSON参数不合法');
  return {phones => $phones, template => $given{TemplateCode}, params => $params};
}

# The eleven digits of a mainland number, or nothing.
sub plain_phone ($text) {
  return $text =~ /\A(?:\+?86)?(1[3-9]\d{9})\z/a ? $1 : undef;
}

sub _phones ($text) {
  my @given = split /,/, $text, -1;
  return ([], 'isv.MOBILE_COUNT_OVER_LIMIT', '手机号码数量超过限制') if @given > MAX_PHONES;
  my @phones = grep {defined} map { plain_phone($_) } @given;
  return ([], 'isv.MOBILE_NUMBER_ILLEGAL', '非法手机号') if @phones != @given;
  return \@phones;
}

# The template's values, each as the text that the phone would show.
sub _params ($json) {
  return {} if ($json // '') eq '';
  my $params = eval { from_json($json) };
  return if ref $params ne 'HASH' || grep { !defined || ref } values %$params;
  return {map { $_ => "$params->{$_}" } keys %$params};
}

1;
